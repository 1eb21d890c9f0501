"""The commands behind `./fleet`.

Owns what a person types, reads and gets as an exit code. Does not own what the commands do: the model, the
plugins, the sandbox and the paper ground each have a folder of their own.
"""
