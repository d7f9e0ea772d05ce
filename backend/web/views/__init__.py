"""The views of the pages: read the request, call a selector or service, render a template."""
