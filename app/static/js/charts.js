/* Step durations: work (median, 90th percentile, a line at the standard) and the quieter wait.
   Numbers and words come from the page's JSON block; colours from the stylesheet, so that the
   charts follow the theme and paper. */
(() => {
  'use strict'
  const block = document.getElementById('chart-data')
  if (!block || !window.echarts) return
  const { steps, words } = JSON.parse(block.textContent)
  const language = document.documentElement.lang || 'id'
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const still = window.matchMedia('(prefers-reduced-motion: reduce)')
  const paper = window.matchMedia('print')
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  const ROW = 58
  const PAPER_WIDTH = { work: 660, wait: 660 }

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  /* 'none' would bring ECharts' own stripes back */
  const plain = { symbol: 'none', color: 'transparent' }
  const stripes = (color) => ({ symbol: 'rect', color, dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4 })
  const dots = (color) => ({ symbol: 'circle', color, dashArrayX: [[5, 5], [0, 5, 5, 0]], dashArrayY: [5, 0], symbolSize: 0.7 })

  /* what both charts share */
  const frame = (narrow, unit, description, names) => {
    const text = token('--text')
    const muted = token('--muted')
    const line = token('--line')
    return {
      animation: !still.matches && !paper.matches,
      animationDuration: 350,
      aria: { enabled: true, decal: { show: true }, label: { description } },
      textStyle: { fontFamily: token('--font') || 'sans-serif', color: text },
      legend: { top: 0, left: 0, data: names, itemWidth: 18, itemHeight: 12, itemGap: 16, selectedMode: false, textStyle: { color: text, fontSize: 13 } },
      grid: { top: 38, right: 48, bottom: 44, left: narrow ? 98 : 132 },
      xAxis: {
        type: 'value', name: unit, nameLocation: 'middle', nameGap: 28, minInterval: 1, splitNumber: narrow ? 3 : 5,
        nameTextStyle: { color: muted, fontSize: 12 },
        axisLabel: { color: muted, fontSize: 12, hideOverlap: true, formatter: (value) => number.format(value) },
        splitLine: { lineStyle: { color: line } },
      },
      yAxis: {
        type: 'category', inverse: true, data: steps.map((step) => step.label),
        axisTick: { show: false }, axisLine: { lineStyle: { color: token('--line-strong') } },
        axisLabel: { color: text, fontSize: narrow ? 12 : 13, width: narrow ? 88 : 120, overflow: 'break', lineHeight: 16 },
      },
      tooltip: {
        /* an HTML tooltip would carry inline styles, which our policy forbids */
        renderMode: 'richText', trigger: 'axis', axisPointer: { type: 'shadow' }, confine: true,
        backgroundColor: token('--surface'), borderColor: token('--line-strong'), borderWidth: 1,
        textStyle: { color: text, fontSize: 13 },
      },
    }
  }

  const bar = (name, key, color, toPixel, decal, border) => ({
    name, type: 'bar', data: steps.map((step) => step[key]), barGap: '12%', barCategoryGap: '34%',
    itemStyle: { color, decal: decal || plain, borderColor: border || color, borderWidth: 1, borderRadius: [0, 3, 3, 0] },
    labelLayout: ({ dataIndex, labelRect }) => {
      /* a number never stands on the line of the standard */
      const { standard } = steps[dataIndex]
      const x = toPixel && standard !== null ? toPixel(standard) : null
      return x && labelRect.x - 5 < x && x < labelRect.x + labelRect.width + 4
        ? { x: x + 6, y: labelRect.y + labelRect.height / 2, align: 'left', verticalAlign: 'middle' } : {}
    },
    label: { show: true, position: 'right', color: token('--text'), fontSize: 12, formatter: ({ value }) => (value === null || value === undefined ? '' : number.format(value)) },
  })

  const lines = (step, pairs) => [`${step.label} (${step.cases})`, ...pairs.map(([name, value, unit]) => `${name}: ${value === null ? '–' : `${number.format(value)} ${unit}`}`)].join('\n')

  const standards = () => ({
    name: words.standard, type: 'custom', z: 5, silent: true,
    itemStyle: { color: token('--chart-standard') },
    data: steps.map((step, index) => [step.standard, index]).filter(([value]) => value !== null),
    renderItem: (params, api) => {
      const [x, y] = api.coord([api.value(0), api.value(1)])
      const half = api.size([0, 1])[1] * 0.43
      return { type: 'rect', shape: { x: x - 1.5, y: y - half, width: 3, height: 2 * half }, style: { fill: token('--chart-standard') } }
    },
  })

  const options = {
    work: (narrow, toPixel) => ({
      ...frame(narrow, words.minutes, words.work, [words.median, words.p90, { name: words.standard, icon: 'path://M0 0h3v14h-3z' }]),
      series: [
        bar(words.median, 'median', token('--chart-median'), toPixel),
        bar(words.p90, 'p90', token('--chart-p90'), toPixel, stripes(token('--chart-p90-mark'))),
        standards(),
      ],
    }),
    wait: (narrow) => ({
      ...frame(narrow, words.waitUnit, words.wait, [words.median, words.p90]),
      series: [
        bar(words.median, 'waitMedian', token('--chart-wait'), null),
        bar(words.p90, 'waitP90', token('--chart-wait-p90'), null, dots(token('--chart-wait')), token('--chart-wait')),
      ],
    }),
  }
  const tips = {
    work: (step) => lines(step, [[words.median, step.median, words.minutes], [words.p90, step.p90, words.minutes], [words.standard, step.standard, words.minutes]]),
    wait: (step) => lines(step, [[words.median, step.waitMedian, words.waitUnit], [words.p90, step.waitP90, words.waitUnit]]),
  }

  const charts = [...document.querySelectorAll('[data-chart]')].map((box) => {
    const kind = box.dataset.chart
    box.style.height = `${steps.length * ROW + 96}px`
    const chart = window.echarts.init(box, null, { renderer: 'svg' })
    const draw = () => {
      const width = paper.matches ? PAPER_WIDTH[kind] : box.clientWidth
      if (!width) return
      chart.resize({ width, height: box.clientHeight, silent: true })
      const option = options[kind](width < 520, (value) => chart.convertToPixel({ xAxisIndex: 0 }, value))
      option.tooltip.formatter = ([first]) => tips[kind](steps[first.dataIndex])
      chart.setOption(option, true)
    }
    draw()
    let width = box.clientWidth
    new ResizeObserver(() => {
      if (box.clientWidth === width || paper.matches) return
      width = box.clientWidth
      draw()
    }).observe(box)
    return draw
  })
  const redraw = () => { for (const draw of charts) draw() }
  document.addEventListener('aduan:theme', redraw)
  dark.addEventListener('change', redraw)
  paper.addEventListener('change', redraw)
})()
