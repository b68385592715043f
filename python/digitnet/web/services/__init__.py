"""What the pages and the API are made of: each module knows one area of digitnet, and no request."""
