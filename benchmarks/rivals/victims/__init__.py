"""One workflow, written for each rival; every script is run by the rival's own interpreter."""
