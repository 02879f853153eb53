"""A plug-in for FlowWeaver: tasks on one thread, events in a file, runs in a folder."""

from sample_plugin.executor import OneThreadExecutor
from sample_plugin.observer import Notes
from sample_plugin.store import FolderStateStore

__all__ = ["FolderStateStore", "Notes", "OneThreadExecutor"]
