"""The actions of `manage.py till`: each calls the till in backend/example_till and prints the result."""
