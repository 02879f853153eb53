"""What a run would do: the plan, what it foresees, and edits accepted as harmless."""
