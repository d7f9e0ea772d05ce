"""The shopkeeper's words for codes."""
