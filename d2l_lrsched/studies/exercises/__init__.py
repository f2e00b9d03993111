"""The chapter's exercises, 1 to 4 and the plateau, answered by experiments."""
