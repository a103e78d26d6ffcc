// Indonesian for ECharts, which ships none: dates, series names and the spoken description.
export default {
  time: {
    month: [
      "Januari", "Februari", "Maret", "April", "Mei", "Juni",
      "Juli", "Agustus", "September", "Oktober", "November", "Desember",
    ],
    monthAbbr: ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"],
    dayOfWeek: ["Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"],
    dayOfWeekAbbr: ["Min", "Sen", "Sel", "Rab", "Kam", "Jum", "Sab"],
  },
  legend: { selector: { all: "Semua", inverse: "Balik" } },
  toolbox: {
    brush: {
      title: {
        rect: "Pilih kotak", polygon: "Pilih bebas", lineX: "Pilih mendatar",
        lineY: "Pilih tegak", keep: "Pertahankan pilihan", clear: "Hapus pilihan",
      },
    },
    dataView: { title: "Data", lang: ["Data", "Tutup", "Muat ulang"] },
    dataZoom: { title: { zoom: "Perbesar", back: "Ukuran semula" } },
    magicType: {
      title: { line: "Jadikan garis", bar: "Jadikan batang", stack: "Tumpuk", tiled: "Jajarkan" },
    },
    restore: { title: "Pulihkan" },
    saveAsImage: { title: "Simpan gambar", lang: ["Klik kanan untuk menyimpan gambar"] },
  },
  series: {
    typeNames: {
      bar: "diagram batang", line: "diagram garis", scatter: "diagram pencar",
      boxplot: "diagram kotak", custom: "diagram khusus", chart: "diagram",
    },
  },
  aria: {
    general: { withTitle: "Ini diagram tentang \"{title}\"", withoutTitle: "Ini sebuah diagram" },
    series: {
      single: {
        prefix: "",
        withName: " berupa {seriesType} bernama {seriesName}.",
        withoutName: " berupa {seriesType}.",
      },
      multiple: {
        prefix: ". Terdiri atas {seriesCount} deret.",
        withName: " Deret {seriesId} berupa {seriesType} untuk {seriesName}.",
        withoutName: " Deret {seriesId} berupa {seriesType}.",
        separator: { middle: "", end: "" },
      },
    },
    data: {
      allData: "Datanya sebagai berikut: ",
      partialData: "{displayCnt} data pertama: ",
      withName: "{name} bernilai {value}",
      withoutName: "{value}",
      separator: { middle: ", ", end: ". " },
    },
  },
};
