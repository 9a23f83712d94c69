"""stub"""
from infra.local.settings import *
def start_gateway(s, k): raise StackError("no functions yet")
def warm_functions(s): ...
