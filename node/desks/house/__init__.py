"""The desk of the house: which bases belong to this territory, their cards and keys, and the way back of a lost one."""
