"""The paper on gradient clipping."""
