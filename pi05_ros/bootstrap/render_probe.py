"""Render one small image off screen with MuJoCo, in the OpenGL that MUJOCO_GL names.

Run as a program in a process of its own, since a broken OpenGL can crash the process. Prints the
name of the renderer.
"""

from __future__ import annotations

import sys

SCENE = """<mujoco><worldbody>
  <light pos="0 0 3"/>
  <geom type="sphere" size="0.3" rgba="1 0 0 1"/>
  <camera name="camera" pos="0 -2 0" xyaxes="1 0 0 0 0 1"/>
</worldbody></mujoco>"""


def main() -> int:
    """Return 0 when the image shows a red ball in its middle, else 1."""
    import mujoco

    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 64, 64) as renderer:
        renderer.update_scene(data, camera="camera")
        image = renderer.render()  # (64, 64, 3) uint8 rgb

        from OpenGL import GL

        print((GL.glGetString(GL.GL_RENDERER) or b"unknown").decode())
    red, green, _ = (int(value) for value in image[32, 32])
    if red < 50 or green > red // 2:
        print(f"the middle of the image is {image[32, 32]}, not red", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
