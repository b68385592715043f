"""What the pages and the API are made of: each module knows one area of digitnet, and no request.

drawings   recognition, personal
networks   anatomy, and on it network (with network_body), excitation, learning; json_numbers
models     models, and on it model_list, uploads, exports
data       data, and on it predictions, augmentation
runs       run_folders, run_events, run_settings, and on them runs
           worker, queue, control: the process, whose turn it is, what is asked of it
           streams, timeline, commands: its events, its checkpoints, how to do it again
"""
