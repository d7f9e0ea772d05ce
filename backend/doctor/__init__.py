"""The doctor: looks for what a broken promise leaves behind, says what it means, and repairs what is safe to repair."""
