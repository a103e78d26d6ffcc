"""Chart screens: each is one declaration over one query of `app.services.charts`."""

from app.views.charts.delays import DeliveryChartView, PauseChartView
from app.views.charts.people import LaneChartView, PersonChartView
from app.views.charts.quality import DueChartView, ReturnChartView, RoundChartView
from app.views.charts.steps import StepChartView, WaitChartView
from app.views.charts.trend import TrendChartView
from app.views.charts.volume import (
    ArrivalChartView,
    CategoryChartView,
    ChannelChartView,
    KecamatanChartView,
    OpenChartView,
)

#: Every chart but the first, which is the menu's, in the order of the way between them.
MORE = (
    WaitChartView,
    TrendChartView,
    PauseChartView,
    DeliveryChartView,
    OpenChartView,
    ArrivalChartView,
    ChannelChartView,
    CategoryChartView,
    KecamatanChartView,
    ReturnChartView,
    RoundChartView,
    DueChartView,
    LaneChartView,
    PersonChartView,
)

__all__ = ["MORE", "StepChartView"]
