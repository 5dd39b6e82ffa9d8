"""Interpolation weights on a sphere of measured directions, whatever grid they form.

The directions span a convex polyhedron; a direction in between meets one of its faces and is a weighted
mean of that face's corners. Corners of a face that lie in one plane stay together as a polygon (a
latitude-longitude grid gives trapezoids, not arbitrarily cut triangles), so that a mirror-symmetric grid
has mirror-symmetric weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHALLOW = 0.25  # a face closer than this to the centre leaves a hole in the sphere that has to be filled
COPLANAR = 1e-4
POLES = np.array([[0, 0, -1], [0, 0, 1], [-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]], float)


def unit_vectors(xyz: Floats) -> Floats:
    """`xyz` (..., 3) scaled to length 1; the zero vector becomes the front."""
    xyz = np.asarray(xyz, np.float64)
    norm = np.linalg.norm(xyz, axis=-1, keepdims=True)
    return np.where(norm > 1e-9, xyz / np.maximum(norm, 1e-9), [1.0, 0.0, 0.0])


class SphereMesh:
    """Weights of the measured directions `xyz` (M, 3) for any direction.

    They are positive, sum to one, are continuous over the sphere, and are exactly one measurement at its
    own direction. Inside a face they are Wachspress coordinates (1975), which for a triangle are the
    barycentric ones. Where the set leaves more than about a hemisphere open (a set of the horizontal
    plane only, say) the nearest poles are filled with distance-weighted means.
    """

    def __init__(self, xyz: Floats) -> None:
        from scipy import sparse

        points = unit_vectors(xyz)
        self.size = len(points)
        # rows: the polyhedron's corners as means of measured directions
        corners: Any = sparse.identity(self.size, format="csr")
        hull, measured = _hull(points), points
        for pole in POLES:
            if hull is not None and -hull.equations[:, 3].max() >= SHALLOW:
                break
            if (points @ pole).max() > np.cos(np.radians(20)):
                continue
            weights = 1 / np.arccos(np.clip(measured @ pole, -1, 1)) ** 3
            corners = sparse.vstack([corners, sparse.csr_matrix(weights / weights.sum())], format="csr")
            points = np.vstack([points, pole])
            hull = _hull(points)
        if hull is None:
            raise ValueError("directions do not surround the listener")
        self._corners = corners
        self._normals = hull.equations[:, :3] / -hull.equations[:, 3:]
        self._polygons = _merge_faces(hull, self._normals, points)

    def weights(self, directions: Floats) -> Any:
        """Sparse matrix (n, M) of weights for `directions` (n, 3), of any length."""
        from scipy import sparse

        directions = unit_vectors(directions)
        face = np.empty(len(directions), int)
        for start in range(0, len(directions), 4096):
            chunk = directions[start : start + 4096]
            face[start : start + 4096] = np.argmax(chunk @ self._normals.T, axis=1)
        rows, columns, values = [], [], []
        for polygons in self._polygons:
            inside = np.flatnonzero(polygons.of_face[face] >= 0)
            if len(inside) == 0:
                continue
            which = polygons.of_face[face[inside]]
            local = np.einsum("nij,nj->ni", polygons.basis[which], directions[inside])
            value = _wachspress(polygons.plane[which], local[:, :2] / local[:, 2:])
            rows.append(np.repeat(inside, value.shape[1]))
            columns.append(polygons.corners[which].ravel())
            values.append(value.ravel())
        shape = (len(directions), self._corners.shape[0])
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return (sparse.csr_matrix(entries, shape) @ self._corners).tocsr()


@dataclass(frozen=True)
class _Polygons:
    """The faces with the same number q of corners: `corners` (P, q) indices, counter-clockwise, `plane`
    (P, q, 2) the same in the tangent plane with `basis` (P, 3, 3), outward normal last, and `of_face`
    (F,): which of them a face of the hull belongs to, or -1."""

    corners: NDArray[np.int_]
    plane: Floats
    basis: Floats
    of_face: NDArray[np.int_]


def _hull(points: Floats) -> Any:
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):  # fewer than four points, or all in one plane
        return None
    return hull if hull.equations[:, 3].max() < -1e-3 else None


def _merge_faces(hull: Any, normals: Floats, points: Floats) -> list[_Polygons]:
    """The hull's triangles joined where they lie in one plane, by number of corners."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(normals)
    first, second = np.repeat(np.arange(count), 3), hull.neighbors.ravel()
    flat = np.abs(normals[first] - normals[second]).max(axis=1) < COPLANAR
    graph = csr_matrix((np.ones(flat.sum(), np.int8), (first[flat], second[flat])), shape=(count, count))
    groups, group = connected_components(graph, directed=False)
    # (group, corner) pairs, each once, and each group's span among them
    pairs = np.unique(np.stack([np.repeat(group, 3), hull.simplices.ravel()], axis=1), axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(groups))
    sizes = np.diff([*starts, len(pairs)])
    mean_normal = np.zeros((groups, 3))
    np.add.at(mean_normal, group, unit_vectors(normals))
    polygons = []
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        corners = pairs[starts[members][:, None] + np.arange(size), 1]
        normal = unit_vectors(mean_normal[members])
        side = unit_vectors(np.cross(normal, np.eye(3)[np.abs(normal).argmin(axis=1)]))
        basis = np.stack([side, np.cross(normal, side), normal], axis=1)
        local = np.einsum("pij,pqj->pqi", basis, points[corners])
        plane = local[..., :2] / local[..., 2:]  # central projection: great circles become straight lines
        centred = plane - plane.mean(axis=1, keepdims=True)
        turn = np.arctan2(centred[..., 1], centred[..., 0]).argsort(axis=1)
        of_group = np.full(groups, -1)
        of_group[members] = np.arange(len(members))
        polygons.append(
            _Polygons(
                np.take_along_axis(corners, turn, 1),
                np.take_along_axis(plane, turn[..., None], 1),
                basis,
                of_group[group],
            )
        )
    return polygons


def _wachspress(polygons: Floats, at: Floats) -> Floats:
    """Weights (n, q) of convex polygons' corners (n, q, 2), counter-clockwise, for points `at` (n, 2)."""
    following, previous = np.roll(polygons, -1, axis=1), np.roll(polygons, 1, axis=1)
    corner_area = np.maximum(_cross(polygons - previous, following - polygons), 0)
    side_area = _cross(polygons - at[:, None], following - at[:, None])
    scale = np.maximum(corner_area.max(axis=1, keepdims=True), 1e-12)
    side_area = np.maximum(side_area, 1e-14 * scale)  # on a side or a corner that side decides alone
    weights = corner_area / (np.roll(side_area, 1, axis=1) * side_area)
    return weights / weights.sum(axis=1, keepdims=True)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
