"""A page to look at a store: one file that shows it all, without a network. A copy outside the store.

Read in this order:

    axes        the plane in which vectors differ most, in integers
    layout      where examples lie on the map: like ones near each other, the same bits everywhere
    contents    what the page tells: one state of a store, in the order of the page
    drawing     the map, the markers and the bars, as SVG
    style       what the page looks like, in light, in the dark and on paper
    script      what the page does while it is read: search, highlight, copy
    remarks     what should be looked at, with the commands that correct it
    page        all of it as one HTML file
"""
