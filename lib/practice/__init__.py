"""The practice model: a small real model on this computer, asked like any other service.

endpoint        the model as an endpoint, and who may ask it when
pace            how fast it answers on this computer
process         keeps its process: started when needed, again after a crash, ended with the app
server          that process
"""
