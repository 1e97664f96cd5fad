"""The program: settings, wiring, commands, HTTP assembly, jobs, logs. The only place where stages meet."""

__version__ = "0.1.0"
