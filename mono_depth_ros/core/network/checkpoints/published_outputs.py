"""What the published networks put out for photographs that everyone can get: facts, no data."""

from .output_statistics import Statistics

STATISTICS = {
    ('vits', 'relative'): {
        '35ef1bbb63f6540e49aa9b6302b9b938be4fe8b9c08c07c3694b02396b0e87e0': Statistics(
            1362, 2048, 0.0, 10.12942, 1.64525, 2.05834
        ),
        'c1f116034aa5abd5b5470226be2bb03bd938c8affe90389c52d10fe8b1ac7e21': Statistics(
            1362, 2047, 0.0, 5.45382, 0.90845, 1.26159
        ),
        '764dffd4d97bbacd620bc005fa86837018393ccb5ffd1059c2245a3cacff7782': Statistics(
            1295, 1990, 0.26795, 4.64576, 2.23209, 1.37227
        ),
        '3a301f4e0361fe75ca4d256a35062f87eecc3f7655d747c9def3259c86e26a45': Statistics(
            1041, 1600, 0.0, 7.07661, 2.88028, 1.90683
        ),
        '50e7e2f057c5a2d27bb09b0b3e814147966e30139ddaf54362c72746a5320339': Statistics(
            1332, 2048, 0.59394, 5.28129, 2.21603, 1.32807
        ),
        '0fd815bddeab139e7477c948a22fffdf84d9b87f81d77dcf6fd8ef39ebaaafb5': Statistics(
            1362, 2048, 0.0, 5.76801, 1.43341, 1.45369
        ),
        '345bec735adc4c238bf14ddf1d182c4881f8ba08814c4f4074c1d79e9e4adc52': Statistics(
            1498, 2252, 0.0, 4.17161, 0.79309, 1.16688
        ),
        'd32b480349013be5f84521b0df1d6590139163aef8457f051076ed03c7371e6f': Statistics(
            425, 640, 0.0, 4.66051, 2.25451, 1.25515
        ),
        '6a64033ba69bb408c092dbff811abfbcb0196f1f87541902d03d2a909a0b8ea9': Statistics(
            1487, 2236, 0.0, 4.49117, 0.6559, 0.88276
        ),
        'bc77f215081f58de8d079e821e2808f6ee2727dfa729c10a5921c186a32c7638': Statistics(
            1332, 2048, 0.0, 10.24106, 2.64412, 2.48738
        ),
    },
}
"""By (encoder, variant), then by the sha256 of the photograph.

The photographs are assets/examples/demo01.jpg to demo10.jpg of DepthAnything/Depth-Anything-V2 on
GitHub. The numbers are those of its own code (input 518, fp32, CUDA), rounded, from
golden/fixture_manifest.json of rushdarshan/DepthVeritas at d935678.
"""

CORNERS = {
    ('vits', 'relative'): (
        (2.6751, 2.6211, 2.6571),
        (2.582, 2.6138, 2.6271),
        (2.616, 2.6141, 2.6306),
    ),
    ('vitb', 'relative'): (
        (4.3576, 4.3723, 4.3908),
        (4.3231, 4.3146, 4.3611),
        (4.3016, 4.317, 4.3121),
    ),
    ('vits', 'metric_indoor'): (
        (1.3349, 1.2946, 1.2801),
        (1.2793, 1.2337, 1.2899),
        (1.2629, 1.2218, 1.2476),
    ),
    ('vitb', 'metric_indoor'): (
        (1.4601, 1.3824, 1.4904),
        (1.5031, 1.4349, 1.4274),
        (1.457, 1.4578, 1.42),
    ),
    ('vits', 'metric_outdoor'): (
        (9.5804, 8.0339, 7.7386),
        (7.989, 7.2464, 7.7149),
        (7.7021, 7.233, 7.3304),
    ),
    ('vitb', 'metric_outdoor'): (
        (10.2916, 9.0933, 8.8622),
        (9.1964, 9.3393, 9.0644),
        (8.9618, 9.4201, 9.2262),
    ),
    ('vits', 'relative_v1'): (
        (8.8204, 8.6468, 8.6195),
        (8.3313, 8.6027, 8.7526),
        (8.6526, 8.6866, 8.7453),
    ),
}
"""By (encoder, variant): the upper left 3x3 of the output at 518x686 for COCO's 000000039769.jpg.

The image is resized as Pillow does it, cubic and in 8 bits. From huggingface/transformers
(convert_depth_anything_to_hf.py, test_modeling_depth_anything.py), which holds them to 1e-4.
"""

CORNER_SIZE = (518, 686)
"""(height, width) of the network's input and output [px]."""

CORNER_IMAGE_SIZE = (480, 640)
"""(height, width) of the photograph [px]."""

CORNER_IMAGE_MEANS = (((144, 77, 105), (147, 89, 105)), ((205, 100, 164), (206, 91, 154)))
"""Mean RGB of its four quarters, by which it is known: decoders of JPEG differ in bits."""
