"""What kernels search: grids of points, meshes of triangles and hierarchies of boxes, by trying everything in them.

An id has for its value what the structure was built of: an array of points, or the arrays of a mesh or of boxes.
"""
