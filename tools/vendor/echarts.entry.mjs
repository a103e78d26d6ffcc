// The part of Apache ECharts that the reports use; `tools/vendor.py` bundles it.
// Change this list, run the tool again, and commit what it wrote.
import {
  use, init, getInstanceByDom, dispose, connect, disconnect, registerLocale, registerTheme, format, time,
  version,
} from "echarts/core";
import { BarChart, LineChart, ScatterChart, BoxplotChart, CustomChart } from "echarts/charts";
import {
  AriaComponent, DatasetComponent, DataZoomInsideComponent, DataZoomSliderComponent, GridComponent,
  LegendComponent, MarkLineComponent, MarkPointComponent, TitleComponent, TooltipComponent,
  TransformComponent,
} from "echarts/components";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";
import indonesian from "./echarts.lang-id.mjs";

use([
  BarChart, LineChart, ScatterChart, BoxplotChart, CustomChart,
  AriaComponent, DatasetComponent, DataZoomInsideComponent, DataZoomSliderComponent, GridComponent,
  LegendComponent, MarkLineComponent, MarkPointComponent, TitleComponent, TooltipComponent,
  TransformComponent, LabelLayout, SVGRenderer,
]);
registerLocale("ID", indonesian);

export {
  init, getInstanceByDom, dispose, connect, disconnect, registerLocale, registerTheme, format, time,
  version,
};
