"""What every server of ours allows a client: connections and their deadlines, headers, names by
which it is called, and places in a queue. Knows neither the catalogue nor the routes.
"""
