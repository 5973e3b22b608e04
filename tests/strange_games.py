"""Environments that behave as no environment should, and some that are only unusual, for the tests of the bridge."""

import os
import time

import gymnasium
import numpy
from gymnasium import spaces


class Walk(gymnasium.Env):
    """A walk on a line; after `after` steps of an episode `strange` happens."""

    metadata = {"render_modes": []}
    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(-100, 100, [1], numpy.float32)

    def __init__(self, after=30):
        self.after = after

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = int(self.np_random.integers(-5, 6)), 0
        return self.observation(), {}

    def step(self, action):
        self.place, self.steps = self.place + 2 * int(action) - 1, self.steps + 1
        if self.steps == self.after:
            self.strange()
        return self.observation(), float(self.place), abs(self.place) > 9, False, {}

    def observation(self):
        return numpy.array([self.place], numpy.float32)

    def strange(self):
        pass


class Hangs(Walk):
    def strange(self):
        time.sleep(1000)


class Dies(Walk):
    def strange(self):
        os._exit(9)


class Raises(Walk):
    def strange(self):
        raise ValueError("the walk\nis over")


class Chatty(Walk):
    """Prints where the replies go, both in Python and below it."""

    def observation(self):
        print("I am at", self.place)
        os.system("echo and the shell says so, too")
        return super().observation()


class Unseeded(Walk):
    def observation(self):
        return numpy.frombuffer(os.urandom(1), numpy.uint8).astype(numpy.float32)


class Sloppy(Walk):
    """Draws from the global generators, which the seed of a reset must decide, too."""

    def observation(self):
        import random

        return numpy.array([random.random() + numpy.random.rand()], numpy.float32)


class Furnished(Walk):
    """Observations of several parts, actions that do not begin at 0."""

    action_space = spaces.Discrete(2, start=5)
    observation_space = spaces.Dict({"at": spaces.Discrete(300, start=-150), "way": spaces.MultiBinary(2)})

    def step(self, action):
        assert action in self.action_space
        return super().step(action - 5)

    def observation(self):
        return {"at": self.place, "way": numpy.array([self.place < 0, self.place > 0], numpy.int8)}


class Board(Walk):
    """Planes of truth values, the channel last."""

    observation_space = spaces.Box(0, 1, [3, 21, 2], numpy.bool_)

    def observation(self):
        board = numpy.zeros([3, 21, 2], numpy.bool_)
        board[1, self.place + 10, self.place % 2] = True
        return board


class Grows(Walk):
    """Observations of any length."""

    observation_space = spaces.Sequence(spaces.Discrete(3))

    def observation(self):
        return (1,) * self.steps


for game in [Walk, Hangs, Dies, Raises, Chatty, Unseeded, Sloppy, Furnished, Board, Grows]:
    gymnasium.register(f"{game.__name__}-v0", entry_point=game, max_episode_steps=60)
