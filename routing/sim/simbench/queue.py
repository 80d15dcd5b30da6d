# An M/M/c+M queue in SimPy 3 or 4, written as its documentation does (the bank with
# reneging customers). Arguments: contacts, arrivals a second, mean service, mean
# patience, servers. Prints JSON.
import json
import random
import sys
import time

import simpy

contacts, servers = int(sys.argv[1]), int(sys.argv[5])
rate, service, patience = (float(a) for a in sys.argv[2:5])
random.seed(1)
answered = left = 0
waited = 0.0


def call(env, handlers):
    global answered, left, waited
    arrived = env.now
    with handlers.request() as mine:
        result = yield mine | env.timeout(random.expovariate(1 / patience))
        if mine not in result:
            left += 1
            return
        answered += 1
        waited += env.now - arrived
        yield env.timeout(random.expovariate(1 / service))


def arrivals(env, handlers):
    for _ in range(contacts):
        env.process(call(env, handlers))
        yield env.timeout(random.expovariate(rate))


began = time.perf_counter()
env = simpy.Environment()
env.process(arrivals(env, simpy.Resource(env, capacity=servers)))
env.run()
took = time.perf_counter() - began
print(json.dumps({"contacts": contacts, "wait": waited / answered, "abandon": left / (answered + left), "took": took}))
