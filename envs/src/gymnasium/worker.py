"""Plays one Gymnasium environment for a parent process.

Every message, in both directions, is a length (four bytes, little-endian) and that many bytes. A request is one letter
and its arguments, a reply one digit and its contents: 0 done, 1 refused (a text says why), 2 failed (a text says how).
  m  make, a JSON object of the settings   -> a JSON object that describes the environment
  r  reset, the seed (8 bytes)             -> the observation
  s  step, the action (4 bytes)            -> the reward (float64), how the episode ended (1 byte), the observation
  p  picture                               -> width, height (4 bytes each), red, green and blue of each pixel
Nothing is ever unpickled, on either side.
"""

import json
import os
import random
import signal
import struct
import sys
import threading
import time

GOES_ON, TERMINATED, TRUNCATED = 0, 1, 2


class Refused(Exception):
    """The environment cannot be made as asked for."""


def install(packages):
    return f"{sys.executable} -m pip install {packages}"


def needed(module, package):
    """Imports a module, or says how to install it."""
    try:
        return __import__(module)
    except ImportError as error:
        raise Refused(f"the Python package {package} is missing ({error}); install it: {install(package)}") from None


class Game:
    """An environment, its actions counted from 0, its observations as bytes."""

    def __init__(self, settings):
        self.gymnasium = needed("gymnasium", "gymnasium")
        self.numpy = needed("numpy", "numpy")
        self.skip, self.stack = settings["frame_skip"], settings["frame_stack"]
        try:
            self.environment = self.make(settings)
        except Refused:
            raise
        except Exception as error:
            raise Refused(self.why(error)) from error
        spaces, space = self.gymnasium.spaces, self.environment.observation_space
        actions = self.environment.action_space
        if not isinstance(actions, spaces.Discrete):
            raise Refused(f"its actions are {actions}; a DQN needs discrete ones")
        self.actions, self.first = int(actions.n), int(actions.start)
        image = isinstance(space, spaces.Box) and len(space.shape) - (self.stack > 1) in (2, 3)
        self.kind = {"uint8": "bytes", "bool": "bits"}.get(space.dtype.name if image else None, "numbers")
        if self.kind == "numbers":
            try:
                self.space, self.shape = space, [int(spaces.flatten_space(space).shape[0])]
            except (NotImplementedError, AttributeError, IndexError, TypeError, ValueError):
                raise Refused(f"its observations are {space}; they must have a fixed length") from None
        else:
            self.shape = list(self.planes(self.numpy.zeros(space.shape, space.dtype)).shape)

    def why(self, error):
        text = f"{type(error).__name__}: {error}"
        if isinstance(error, self.gymnasium.error.DependencyNotInstalled):
            return f"{text} (the interpreter is {sys.executable})"
        return text

    def make(self, settings):
        """The environment within its wrappers."""
        wrappers, name, arguments = self.gymnasium.wrappers, settings["id"], dict(settings["kwargs"])
        atari = name.startswith("ALE/")
        if atari:
            needed("ale_py", "ale-py")
            self.gymnasium.register_envs(sys.modules["ale_py"])
            arguments["frameskip"] = 1
        if ":" in name:
            module, _, name = name.partition(":")
            needed(module, module)
        self.draws = "rgb_array" in self.render_modes(name)
        if self.draws:
            arguments["render_mode"] = "rgb_array"
        environment = self.gymnasium.make(name, **arguments)
        self.limit = environment.spec.max_episode_steps or environment.spec.kwargs.get("max_num_frames_per_episode")
        size, gray = settings["size"], settings["gray"]
        if atari or size:
            needed("cv2", "opencv-python-headless").setNumThreads(1)
        if atari:
            environment = wrappers.AtariPreprocessing(
                environment, noop_max=0, frame_skip=self.skip, screen_size=size, grayscale_obs=gray
            )
            self.limit, self.skip = self.limit and -(-self.limit // self.skip), 1
        else:
            environment = wrappers.ResizeObservation(environment, (size, size)) if size else environment
            environment = wrappers.GrayscaleObservation(environment) if gray else environment
        return wrappers.FrameStackObservation(environment, self.stack) if self.stack > 1 else environment

    def render_modes(self, name):
        entry = self.gymnasium.spec(name).entry_point
        if isinstance(entry, str):
            entry = self.gymnasium.envs.registration.load_env_creator(entry)
        return getattr(entry, "metadata", {}).get("render_modes", [])

    def description(self):
        meanings = getattr(self.environment.unwrapped, "get_action_meanings", None)
        names = [str(name).lower() for name in meanings()] if meanings else [str(a) for a in range(self.actions)]
        return {
            "actions": names if len(names) == self.actions else [str(action) for action in range(self.actions)],
            "kind": self.kind,
            "shape": self.shape,
            "draws": self.draws,
            "step_limit": self.limit and -(-self.limit // self.skip),
        }

    def planes(self, observation):
        """Planes in the order frame, channel, row, column."""
        frames = self.numpy.asarray(observation)
        frames = frames if self.stack > 1 else frames[None]
        frames = frames if frames.ndim == 4 else frames[..., None]
        planes = frames.transpose(0, 3, 1, 2)
        return planes.reshape(-1, *planes.shape[2:])

    def encode(self, observation):
        if self.kind == "numbers":
            flat = self.gymnasium.spaces.flatten(self.space, observation)
            return self.numpy.asarray(flat, self.numpy.dtype("<f4")).tobytes()
        return self.planes(observation).astype("uint8").tobytes()

    def reset(self, seed):
        # An environment that draws from a global generator, too, is then decided by the seed.
        random.seed(seed)
        self.numpy.random.seed(seed % 2**32)
        observation, _ = self.environment.reset(seed=seed)
        return self.encode(observation)

    def step(self, action):
        total, end = 0.0, GOES_ON
        for _ in range(self.skip):
            observation, reward, terminated, truncated, _ = self.environment.step(self.first + action)
            total += float(reward)
            end = TERMINATED if terminated else TRUNCATED if truncated else GOES_ON
            if end != GOES_ON:
                break
        return struct.pack("<dB", total, end) + self.encode(observation)

    def picture(self):
        try:
            frame = self.numpy.asarray(self.environment.render(), "uint8")
        except Exception as error:
            raise Refused(self.why(error)) from error
        return struct.pack("<II", frame.shape[1], frame.shape[0]) + frame.tobytes()


def answer(game, request):
    """The game after a request, and the reply."""
    letter, body = request[:1], request[1:]
    if letter == b"m":
        game = Game(json.loads(body))
        return game, json.dumps(game.description()).encode()
    if letter == b"r":
        return game, game.reset(struct.unpack("<Q", body)[0])
    if letter == b"s":
        return game, game.step(struct.unpack("<I", body)[0])
    if letter == b"p":
        return game, game.picture()
    raise Refused(f"no request begins with {letter!r}")


def read(source, length):
    """That many bytes, or None at the end."""
    data = source.read(length)
    return data if len(data) == length else None


def serve(source, sink):
    game = None
    while (length := read(source, 4)) is not None:
        if (request := read(source, struct.unpack("<I", length)[0])) is None:
            return
        try:
            game, contents = answer(game, request)
            reply = b"0" + contents
        except Refused as why:
            reply = b"1" + str(why).encode()
        except Exception as error:
            reply = b"2" + f"{type(error).__name__}: {error}".encode()
        sink.write(struct.pack("<I", len(reply)) + reply)
        sink.flush()


def end_with(parent):
    """Ends this process with its parent, even if an environment never returns from a step."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    # The parent decides when to end: Ctrl-C reaches it, too, and it has yet to save.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    replies = os.fdopen(os.dup(1), "wb")
    # What an environment prints must not get between the replies.
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, replies)
    except BrokenPipeError:
        pass
    os._exit(0)
