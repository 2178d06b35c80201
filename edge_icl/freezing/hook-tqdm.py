"""tqdm: its bars for notebooks and plots would bring what they are for, where that happens to be installed."""

excludedimports = ["IPython", "ipywidgets", "matplotlib", "pandas", "rich", "tkinter"]
