"""Running everything on one machine: private servers, child processes, the stack of `make run` and of the tests."""
