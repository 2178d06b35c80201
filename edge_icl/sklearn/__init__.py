"""A scikit-learn classifier of texts that forgets rows exactly; needs the extra `sklearn`.

Read in this order:

    rows        what a classifier is given: texts and labels, checked
    kept        the store of a fitted classifier, open; it is pickled with it
    classifier  the classifier
"""

from edge_icl.errors import NotInstalledError

try:
    from edge_icl.sklearn.classifier import EdgeClassifier
except ModuleNotFoundError as error:
    raise NotInstalledError(
        f"EdgeClassifier needs a package that is missing, {error.name}",
        'install it: pip install "edge-icl[sklearn]"',
    ) from error

__all__ = ["EdgeClassifier"]
