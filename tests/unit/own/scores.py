"""A metric as a user hands it in. Golden addresses cover these bytes, so they stay as they are."""


def my_score(output, target, share=1.0):
    return share * (output - target).abs().mean()
