"""The web app: draw a digit, see the network think, watch it learn.

`digitnet serve` runs it on its own. In a Django project of yours:

    INSTALLED_APPS += ["digitnet.web"]
    path("digits/", include("digitnet.web.urls"))

It needs the extra `web`: pip install "digitnet[web]".
"""
