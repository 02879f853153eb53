"""The executor kit by subject; `flowweaver.testing.executors` puts it together."""
