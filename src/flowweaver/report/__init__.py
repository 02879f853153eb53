"""What people look at: pictures and texts of a workflow, tables of its runs."""
