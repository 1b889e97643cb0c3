"""What each refusal means and what to do, base by base: its code, and a sentence in French and in English."""
