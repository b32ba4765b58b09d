"""Where a desk is kept: tables, migrations, the one writer, the readers, full text and files."""
