"""The accounts base: its rules, its history, its checks, and what it does when two writers or a power cut come along."""
