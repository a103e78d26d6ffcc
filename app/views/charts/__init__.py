"""Chart screens: each is one declaration over one query of `app.services.charts`."""

from app.views.charts.steps import StepChartView

__all__ = ["StepChartView"]
