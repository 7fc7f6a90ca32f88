"""The composition root: settings, the supervisor, and one file a process that builds, starts and stops its parts."""
