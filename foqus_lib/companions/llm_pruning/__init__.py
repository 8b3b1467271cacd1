"""Layer pruning of language models: which blocks go, and what is trained afterwards.

Lu et al., "Reassessing Layer Pruning in LLMs" (arXiv:2411.15558, ICLR 2026): drop the last quarter
of the blocks, tune lm_head, the final norm and the last three blocks that are left.

    checkpoint   a Llama from a folder or from nothing, its head untied
    text         corpora, tokens, windows, multiple choice
    blocks       a stack without some blocks; the pass through a part of the stack
    scores       how much each block seems to matter
    tuning       what is trainable, and the loop that trains it
    measure      nats a token, bits a byte, multiple choice
"""

VERSION = 1  # raised when the same arguments give other numbers
