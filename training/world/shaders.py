"""The programs of the graphics pipeline (GLSL 3.30).

Depth comes first, holes in textures left out; then color, where the depth is equal, so that each
pixel is lit once. The position must therefore be computed in the same way by all.
"""

SCENE_VERTEX = """
#version 330
invariant gl_Position;
in vec3 in_position;
in vec4 in_normal;
in vec2 in_uv;
in vec4 in_color;
in vec2 in_look;
uniform mat4 model;
uniform mat4 camera;
out vec3 world;
out vec3 local;
out vec3 normal;
out vec3 local_normal;
out vec2 uv;
out vec4 color;
flat out vec2 look;
void main() {
    vec4 place = model * vec4(in_position, 1.0);
    world = place.xyz;
    local = in_position;
    local_normal = in_normal.xyz * 255.0 - 128.0;
    normal = mat3(model) * local_normal;
    uv = in_uv;
    color = in_color;
    look = in_look;
    gl_Position = camera * (model * vec4(in_position, 1.0));
}
"""

SCENE_FRAGMENT = """
#version 330
in vec3 world;
in vec3 local;
in vec3 normal;
in vec3 local_normal;
in vec2 uv;
in vec4 color;
flat in vec2 look;
uniform sampler2DArray textures;
uniform sampler2DShadow shadow;
uniform mat4 shadow_camera;
uniform vec3 eye;
uniform vec3 tint;
uniform vec2 cover;
uniform vec4 main_light;
uniform vec3 main_color;
uniform vec3 lamp_places[4];
uniform vec3 lamp_colors[4];
uniform vec3 ambient_up;
uniform vec3 ambient_down;
uniform vec3 room_low;
uniform vec3 room_high;
out vec4 result;

vec3 linear(vec3 srgb) { return srgb * (srgb * (srgb * 0.305306011 + 0.682171111) + 0.012522878); }

vec4 surface() {
    vec3 base = color.rgb * color.rgb;
    if (look.x >= 0.0) {
        vec4 picture = texture(textures, vec3(uv, look.x));
        return vec4(linear(picture.rgb) * tint, picture.a);
    }
    if (cover.x < 0.0) return vec4(base * tint, 1.0);
    vec3 side = abs(local_normal);
    vec2 place = side.z > max(side.x, side.y) ? local.xy : (side.x > side.y ? local.yz : local.xz);
    vec3 picture = linear(texture(textures, vec3(place * cover.y, cover.x)).rgb);
    float value = dot(base, vec3(0.3333));
    return vec4(picture * (0.35 + 0.65 * value) * tint, 1.0);
}

float lit(vec3 n, vec3 toward) {
    vec4 place = shadow_camera * vec4(world + n * 0.02, 1.0);
    vec3 p = place.xyz / place.w * 0.5 + 0.5;
    if (place.w <= 0.0 || any(lessThan(p, vec3(0.0))) || any(greaterThan(p, vec3(1.0))))
        return 1.0;
    float bias = main_light.w > 0.5 ? 0.0006 : 0.002;
    vec2 texel = 0.7 / vec2(textureSize(shadow, 0));
    float sum = 0.0;
    for (int i = 0; i < 4; ++i) {
        vec2 shift = vec2((i & 1) * 2 - 1, (i >> 1) * 2 - 1) * texel;
        sum += texture(shadow, vec3(p.xy + shift, p.z - bias));
    }
    return sum * 0.25;
}

vec3 shine(vec3 base, vec3 n, vec3 view, vec3 toward, float gloss) {
    float diffuse = max(dot(n, toward), 0.0);
    float highlight = pow(max(dot(n, normalize(view + toward)), 0.0), 24.0 + 80.0 * gloss);
    return base * diffuse + vec3(gloss * 0.5 * highlight * step(0.0, dot(n, toward)));
}

void main() {
    vec4 look_here = surface();
    vec3 base = look_here.rgb;
    float gloss = color.a;
    vec3 view = normalize(eye - world);
    vec3 n = normal / max(length(normal), 1e-6);
    if (dot(n, view) < 0.0) n = -n;
    vec3 away = min(world - room_low, room_high - world);
    vec3 corner = 1.0 - 0.45 * exp(-max(away, 0.0) / 0.35) * (1.0 - abs(n));
    float open = corner.x * corner.y * corner.z;
    vec3 light = mix(ambient_down, ambient_up, 0.5 + 0.5 * n.z) * open * base;
    vec3 toward = main_light.xyz;
    float strength = 1.0;
    if (main_light.w < 0.5) {
        toward = main_light.xyz - world;
        float distance = length(toward);
        toward /= distance;
        strength = 1.0 / (0.4 + distance * distance * 0.35);
    }
    if (dot(n, toward) > 0.0) {
        float visible = lit(n, toward);
        light += shine(base, n, view, toward, gloss) * main_color * strength * visible;
    }
    for (int i = 0; i < 4; ++i) {
        if (lamp_colors[i].r <= 0.0) continue;
        vec3 lamp = lamp_places[i] - world;
        float distance = length(lamp);
        float fading = 1.0 / (0.4 + distance * distance * 0.35);
        light += shine(base, n, view, lamp / distance, gloss) * lamp_colors[i] * fading * open;
    }
    vec3 mirror = reflect(-view, n);
    float fresnel = pow(1.0 - max(dot(n, view), 0.0), 4.0);
    light += gloss * (0.08 + 0.6 * fresnel) * mix(ambient_down, ambient_up, 0.5 + 0.5 * mirror.z);
    light += base * look.y;
    result = vec4(clamp(light, 0.0, 1000.0), 1.0);
}
"""

HOLES_VERTEX = """
#version 330
invariant gl_Position;
in vec3 in_position;
in vec2 in_uv;
in vec2 in_look;
uniform mat4 model;
uniform mat4 camera;
out vec2 uv;
flat out float layer;
void main() {
    uv = in_uv;
    layer = in_look.x;
    gl_Position = camera * (model * vec4(in_position, 1.0));
}
"""

HOLES_FRAGMENT = """
#version 330
in vec2 uv;
flat in float layer;
uniform sampler2DArray textures;
void main() {
    if (layer >= 0.0 && texture(textures, vec3(uv, layer)).a < 0.5) discard;
}
"""

SOLID_VERTEX = """
#version 330
invariant gl_Position;
in vec3 in_position;
uniform mat4 model;
uniform mat4 camera;
void main() {
    gl_Position = camera * (model * vec4(in_position, 1.0));
}
"""

SOLID_FRAGMENT = """
#version 330
void main() {}
"""
