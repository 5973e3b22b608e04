"""Plays the reference implementations at random and writes down what they drew, did and showed, as golden traces.

usage: record_traces.py OUT [--steps 20000] [--seed N]

Needs the packages minatar, gymnasium and numpy. Writes one file an environment into OUT, named as in `golden/`, for
`engram env verify`; the module `golden` of engram-envs describes the lines. The environments run unmodified; their
generators are their own, behind a recorder that notes each draw. An action is held for a while in two of three
episodes: pure chance reaches little of some games. Without a seed each call plays other games; the seed is printed.
"""

import argparse
import json
import pathlib
import secrets
import warnings

import gymnasium
import minatar
import numpy

MINATAR = ["breakout", "asterix", "freeway", "seaquest", "space_invaders"]
CLASSIC = {"cartpole": "CartPole-v1", "acrobot": "Acrobot-v1", "mountain_car": "MountainCar-v0"}
# How likely the action before is taken again, an episode.
HOLD = [0.0, 0.5, 0.9]
# Steps taken after the end of an episode: MinAtar's games stand still then.
AFTER_END = 2


class Recorder:
    """A generator that notes what it gives out, with the methods that the environments call."""

    def __init__(self, generator):
        self.generator, self.draws = generator, []

    def taken(self):
        draws, self.draws = self.draws, []
        return draws

    def note(self, kind, values):
        for value in numpy.ravel(values):
            self.draws.append([*kind, value.item()])
        return values

    def rand(self, *shape):
        return self.note(["u"], self.generator.rand(*shape))

    def randint(self, low, high=None, size=None):
        low, high = (0, low) if high is None else (low, high)
        return self.note(["i", int(low), int(high)], self.generator.randint(low, high, size))

    def uniform(self, low=0.0, high=1.0, size=None):
        return self.note(["U", float(low), float(high)], self.generator.uniform(low, high, size))


class Player:
    """Chooses actions; each episode it holds on to them otherwise."""

    def __init__(self, seed, actions):
        self.generator, self.actions, self.episode, self.action = numpy.random.RandomState(seed), actions, -1, 0

    def begins(self):
        self.episode += 1

    def act(self):
        if self.generator.rand() >= HOLD[self.episode % len(HOLD)]:
            self.action = int(self.generator.randint(self.actions))
        return self.action


def minatar_lines(name, steps, seed):
    """With sticky actions and ramping for the first half, without either for the second."""
    player = Player(seed, 6)
    for sticky, ramp in [(0.1, True), (0.0, False)]:
        env = minatar.Environment(name, sticky_action_prob=sticky, difficulty_ramping=ramp)
        env.seed(seed)
        recorder = Recorder(env.random)
        env.random = env.env.random = recorder
        yield {"k": "n", "env": name, "sticky": sticky, "ramp": ramp}
        observation = lambda: "".join(f"{row}{column}{channel}" for row, column, channel in numpy.argwhere(env.state()))
        over = AFTER_END + 1
        for _ in range(steps // 2):
            if over > AFTER_END:
                env.reset()
                player.begins()
                over = 0
                yield {"k": "r", "d": recorder.taken(), "o": observation()}
            action = player.act()
            reward, terminated = env.act(action)
            line = {"k": "s", "a": action, "d": recorder.taken(), "r": int(reward), "t": int(terminated)}
            ramp_index = env.env.difficulty_ramp()
            if ramp_index is not None:
                line["m"] = int(ramp_index)
            yield {**line, "p": int(over > 0), "o": observation()}
            over += bool(terminated)


def classic_lines(name, steps, seed):
    env = gymnasium.make(name)
    env.reset(seed=seed)
    recorder = Recorder(env.unwrapped.np_random)
    env.unwrapped.np_random = recorder
    player = Player(seed, int(env.action_space.n))
    yield {"k": "n", "id": name}
    shown = lambda observation: {"s": [float(x) for x in env.unwrapped.state], "o": [float(x) for x in observation]}
    over = True
    for _ in range(steps):
        if over:
            observation, _ = env.reset()
            player.begins()
            yield {"k": "r", "d": recorder.taken(), **shown(observation)}
        action = player.act()
        observation, reward, terminated, truncated, _ = env.step(action)
        flags = {"r": float(reward), "t": int(terminated), "u": int(truncated)}
        yield {"k": "s", "a": action, "d": recorder.taken(), **flags, **shown(observation)}
        over = terminated or truncated


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    arguments = parser.parse_args()
    # MinAtar's own import of gymnasium and gymnasium's advice on versions are of no interest here.
    warnings.filterwarnings("ignore")
    print(f"--seed {arguments.seed}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    games = [(name, minatar_lines(name, arguments.steps, arguments.seed)) for name in MINATAR]
    games += [(file, classic_lines(name, arguments.steps, arguments.seed)) for file, name in CLASSIC.items()]
    for file, lines in games:
        with open(arguments.out / f"{file}.jsonl", "w") as trace:
            for line in lines:
                trace.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
