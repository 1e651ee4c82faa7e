"""统计: figures over a period, each with its definition and denominator; as a workbook and as a Chinese report."""
