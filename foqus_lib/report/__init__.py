"""Tidy result rows in; the paper's tables and figures out, the paper's numbers beside ours."""
