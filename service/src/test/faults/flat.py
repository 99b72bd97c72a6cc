"""Whether a series of samples stays flat: the rule of ./bench soak.

A series rises by the Theil-Sen slope (the median of the slopes between all pairs of samples; a third of them may be anything) times the time
over which it is judged, which is the last two thirds: the first one is for warming up. It is flat unless it rises by more than is allowed
and that is no chance: Sen's lower bound of the slope, which is above nothing in one series of a thousand that has no trend, is above nothing.
"""

import math
import statistics

JUDGED = 2 / 3
SURE = 3.1  # standard deviations of Kendall's statistic


def judged(points):
    """The samples that count. @param points: pairs of seconds and a value, in order"""
    if not points:
        return []
    begin, end = points[0][0], points[-1][0]
    return [point for point in points if point[0] >= end - JUDGED * (end - begin)]


def rise(points):
    """By how much a series rises, and by how much it does so for sure (nothing, when that may be chance)."""
    points = judged(points)
    slopes = sorted((b - a) / (t - s) for i, (s, a) in enumerate(points) for t, b in points[i + 1:] if t > s)
    if not slopes:
        return 0.0, 0.0
    count, took = len(points), points[-1][0] - points[0][0]
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    lower = max(0, int((len(slopes) - SURE * deviation) / 2))
    return statistics.median(slopes) * took, max(0.0, slopes[lower] * took)


def flat(points, allowed):
    """@param allowed: what it may rise by while it is judged"""
    likely, sure = rise(points)
    return likely <= allowed or sure == 0


def quarters(points):
    """The medians of the four quarters."""
    begin, end = points[0][0], points[-1][0]
    parts = [[], [], [], []]
    for at, value in points:
        parts[min(3, int(4 * (at - begin) / (end - begin or 1)))].append(value)
    return [statistics.median(part) if part else math.nan for part in parts]
