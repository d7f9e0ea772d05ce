"""The words of `manage.py till`: each action asks the till in backend/example_till and says what came of it."""
