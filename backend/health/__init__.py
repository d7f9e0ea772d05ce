"""Whether processes of this system answer: asked by start scripts, supervisors and the readiness page."""
