"""Use cases shared by the DAGs, the command line and the pages: save, try, run, redo, explain."""
