"""π0.5 in torch (arXiv 2504.16054): a vision-language model plans in text, an expert acts.

Read in this order:

    config        sizes of the model
    transformer   the decoder layer that language model and expert share, and its KV cache
    vision        the SigLIP tower
    language      the Gemma stack
    expert        the action expert of π0.5; pi0_expert: that of π0
    masks         attention masks and positions
    context       KV caches of a sequence, with padding and targets
    pi05          the whole model
    flow          flow matching: how actions are sampled; guidance: steering towards a chunk
    decoding      autoregressive decoding of text
    normalization platform units to [-1, 1] and back
    text/         prompts (the prompt formats), locations (the answer format of the high level),
                  tokenizer and paligemma_tokenizer, fast and action_text (actions as tokens)

Checkpoint files are in `pi05_ros.checkpoints`. Imports neither ROS nor a simulator.
"""
