"""What tills say of themselves: heartbeats, the watermark, gaps in their counters, pauses."""
