"""Draws a furnished scene with OpenGL over EGL: on a GPU where there is one, else on the CPU."""

import math
from dataclasses import dataclass

import moderngl
import numpy as np

from . import shaders
from .furnished_scene import VERTEX, FurnishedScene
from .furniture_pack import FurniturePack
from .world_camera import FAR_M, NEAR_M, WorldCamera, light_matrix

SHADOW_SIZE = 1024
COARSE_PX = 18.0
"""Models of a smaller radius in the image are drawn in their coarse shape."""
_FORMAT = '3f4 4f1 2f4 4f1 2f4'
_NAMES = ('in_position', 'in_normal', 'in_uv', 'in_color', 'in_look')


@dataclass(frozen=True)
class Drawing:
    """What a camera without faults sees.

    Attributes:
        light: (H, W, 3) float32, linear.
        cover: (H, W) float32, share of each pixel that is not sky, 0..1.
        depth: (H, W) float32 along the optical axis [m], infinite for sky.
    """

    light: np.ndarray
    cover: np.ndarray
    depth: np.ndarray


class Rasterizer:
    """A context, with all models and textures in its memory.

    Args:
        pack: The models.
        textures: (T, 256, 256, 4) uint8 RGBA, those of the pack first.
        width: Of the images [px].
        height: Of the images [px].
    """

    def __init__(self, pack: FurniturePack, textures: np.ndarray, width: int, height: int) -> None:
        self._pack = pack
        self._context = moderngl.create_context(standalone=True, backend='egl')
        self._context.enable(moderngl.DEPTH_TEST)
        self._scene = self._context.program(shaders.SCENE_VERTEX, shaders.SCENE_FRAGMENT)
        self._holes = self._context.program(shaders.HOLES_VERTEX, shaders.HOLES_FRAGMENT)
        self._solid = self._context.program(shaders.SOLID_VERTEX, shaders.SOLID_FRAGMENT)
        self._programs = self._scene, self._holes, self._solid
        self._has_holes = models_with_holes(pack, textures)
        self._models = self._context.buffer(pack_vertices(pack).tobytes())
        self._indices = self._context.buffer(pack.indices.astype(np.int32).tobytes())
        count, size = textures.shape[:2]
        self._textures = self._context.texture_array((size, size, count), 4, textures.tobytes())
        self._textures.build_mipmaps()
        self._textures.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        self._make_targets(width, height)
        self._model_arrays = {
            program: self._vertex_array(program, self._models, self._indices)
            for program in self._programs
        }

    def _make_targets(self, width: int, height: int) -> None:
        gl, size = self._context, (width, height)
        self._shadow = gl.depth_texture((SHADOW_SIZE, SHADOW_SIZE))
        self._shadow.compare_func = '<='
        self._shadow_target = gl.framebuffer(depth_attachment=self._shadow)
        color = gl.renderbuffer(size, 4, samples=4, dtype='f2')
        self._smooth = gl.framebuffer([color], gl.depth_renderbuffer(size, samples=4))
        self._resolved = gl.framebuffer([gl.texture(size, 4, dtype='f2')])
        self._plain_depth = gl.depth_texture(size)
        self._plain = gl.framebuffer(depth_attachment=self._plain_depth)

    def _vertex_array(
        self,
        program: moderngl.Program,
        vertices: moderngl.Buffer,
        indices: moderngl.Buffer | None,
    ) -> moderngl.VertexArray:
        used = {name for name in program if name in _NAMES}
        cells = dict(zip(_NAMES, _FORMAT.split(), strict=True))
        sizes = dict(zip(_NAMES, (12, 4, 8, 4, 8), strict=True))
        layout = ' '.join(cells[n] if n in used else f'{sizes[n]}x1' for n in _NAMES)
        names = [name for name in _NAMES if name in used]
        return self._context.vertex_array(program, [(vertices, layout, *names)], indices)

    def prepare(self, scene: FurnishedScene) -> None:
        """Load a scene and draw the shadows of its main light."""
        surfaces = np.concatenate(scene.surfaces)
        buffer = self._context.buffer(surfaces.tobytes())
        self._surface_arrays = {
            program: self._vertex_array(program, buffer, None)
            for program in (self._scene, self._solid)
        }
        self._instances = scene.instances
        self._matrices = [instance.matrix() for instance in scene.instances]
        sizes = [np.array(self._pack.models[i.model].size) * i.scale for i in scene.instances]
        self._centers = np.array(
            [
                (*i.position[:2], i.position[2] + s[2] / 2)
                for i, s in zip(scene.instances, sizes, strict=True)
            ]
        ).reshape(-1, 3)
        self._radii = np.array([np.linalg.norm(s) / 2 for s in sizes])
        self._set_lights(scene)
        self._shadow_target.use()
        self._shadow_target.clear()
        coarse = [(index, 1) for index in range(len(scene.instances))]
        self._draw_depth(light_matrix(scene), coarse)

    def _set_lights(self, scene: FurnishedScene) -> None:
        program = self._scene
        program['main_light'] = (*scene.main_light, float(scene.sun))
        program['main_color'] = scene.main_color
        program['ambient_up'], program['ambient_down'] = scene.ambient
        lamps = [*scene.lamps[:4]]
        places = [lamp.position for lamp in lamps] + [(0.0, 0.0, 0.0)] * (4 - len(lamps))
        colors = [lamp.color for lamp in lamps] + [(0.0, 0.0, 0.0)] * (4 - len(lamps))
        program['lamp_places'], program['lamp_colors'] = places, colors
        far = np.array([[-1e4] * 3, [1e4] * 3])
        low, high = scene.bounds if scene.enclosed else far
        program['room_low'], program['room_high'] = tuple(low), tuple(high)
        program['shadow_camera'].write(_column_major(light_matrix(scene)))

    def depth(self, camera: WorldCamera) -> np.ndarray:
        """Return the depth (H, W) float32 [m] at the middle of each pixel, infinite for sky."""
        self._plain.use()
        self._plain.clear()
        self._draw_depth(camera.matrix(), self._seen(camera))
        stored = np.frombuffer(self._plain_depth.read(), np.float32)
        stored = stored.reshape(camera.height, camera.width)
        depth = NEAR_M * FAR_M / (FAR_M - stored * (FAR_M - NEAR_M))
        depth[stored >= 1.0] = np.inf
        return depth

    def draw(self, camera: WorldCamera, depth: np.ndarray) -> Drawing:
        """Return what a camera sees of the prepared scene, whose depth is known already."""
        self._smooth.use()
        self._smooth.clear()
        matrix, seen = camera.matrix(), self._seen(camera)
        self._draw_depth(matrix, seen)
        self._context.depth_func = '=='
        self._draw_light(camera, matrix, seen)
        self._context.depth_func = '<'
        self._context.copy_framebuffer(self._resolved, self._smooth)
        data = np.frombuffer(self._resolved.read(components=4, dtype='f2'), np.float16)
        light = data.reshape(camera.height, camera.width, 4).astype(np.float32)
        return Drawing(light[..., :3], light[..., 3], depth)

    def _seen(self, camera: WorldCamera) -> list[tuple[int, int]]:
        """Return the instances whose spheres reach into the view, and the level of their shape."""
        if not len(self._centers):
            return []
        place = (self._centers - camera.position) @ camera.axes.T
        inside = place[:, 2] > NEAR_M - self._radii
        for axis, pixels in ((0, camera.width), (1, camera.height)):
            slope = pixels / 2 / camera.focal_px
            limit = self._radii * math.sqrt(1 + slope**2)
            inside &= np.abs(place[:, axis]) < slope * place[:, 2] + limit
        pixels = self._radii / np.maximum(place[:, 2], 0.1) * camera.focal_px
        return [(i, int(pixels[i] < COARSE_PX)) for i in np.flatnonzero(inside & (pixels > 0.7))]

    def _draw_depth(self, matrix: np.ndarray, seen: list[tuple[int, int]]) -> None:
        for program in (self._solid, self._holes):
            program['camera'].write(_column_major(matrix))
        self._textures.use(0)
        self._holes['textures'] = 0
        self._solid['model'].write(_column_major(np.eye(4)))
        self._surface_arrays[self._solid].render()
        for index, level in seen:
            has_holes = self._instances[index].model in self._has_holes
            self._render_model(self._holes if has_holes else self._solid, index, level)

    def _draw_light(
        self, camera: WorldCamera, matrix: np.ndarray, seen: list[tuple[int, int]]
    ) -> None:
        program = self._scene
        program['camera'].write(_column_major(matrix))
        program['eye'] = tuple(camera.position)
        self._shadow.use(1)
        program['shadow'] = 1
        self._textures.use(0)
        program['textures'] = 0
        program['tint'], program['cover'] = (1.0, 1.0, 1.0), (-1.0, 1.0)
        program['model'].write(_column_major(np.eye(4)))
        self._surface_arrays[program].render()
        for index, level in seen:
            instance = self._instances[index]
            program['tint'] = instance.tint
            program['cover'] = (float(instance.cover), instance.cover_scale)
            self._render_model(program, index, level)

    def _render_model(self, program: moderngl.Program, index: int, level: int) -> None:
        program['model'].write(_column_major(self._matrices[index]))
        first, count = self._pack.models[self._instances[index].model].levels[level]
        self._model_arrays[program].render(vertices=count, first=first)


def models_with_holes(pack: FurniturePack, textures: np.ndarray) -> set[int]:
    """Return the models that have a texture with transparent parts."""
    transparent = textures[: len(pack.textures), ..., 3].min(axis=(1, 2)) < 128
    of_vertex = pack.texture_of[pack.materials]
    found = set()
    for number, model in enumerate(pack.models):
        first, count = model.levels[0]
        used = np.unique(of_vertex[pack.indices[first : first + count]])
        if transparent[used[used >= 0]].any():
            found.add(number)
    return found


def pack_vertices(pack: FurniturePack) -> np.ndarray:
    """Return the corners of all models as the graphics pipeline takes them."""
    vertices = np.zeros(len(pack.positions), VERTEX)
    of = pack.materials
    vertices['position'] = pack.positions
    vertices['normal'][:, :3] = pack.normals.astype(np.int16) + 128
    vertices['uv'] = pack.uvs * (1, -1)
    vertices['color'][:, :3] = np.rint(255 * np.sqrt(pack.colors.clip(0, 1)))[of]
    vertices['color'][:, 3] = np.rint(255 * pack.gloss.clip(0, 1))[of]
    vertices['look'][:, 0] = pack.texture_of[of]
    vertices['look'][:, 1] = pack.glow[of]
    return vertices


def _column_major(matrix: np.ndarray) -> bytes:
    return np.ascontiguousarray(matrix.T, np.float32).tobytes()
