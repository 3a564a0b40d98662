"""A metric as a user hands it in."""


def my_score(output, target, share=1.0):
    return share * (output - target).abs().mean()
