"""Probes whether processes of this system answer, for health commands, the supervisor and the readiness page."""
