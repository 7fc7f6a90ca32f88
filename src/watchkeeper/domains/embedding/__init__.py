"""Records that say the same in other words: a model of sentences on this machine makes a vector of each text, and texts
whose vectors point the same way mean much the same. Optional: without WATCHKEEPER_EMBEDDING nothing of it is loaded."""
