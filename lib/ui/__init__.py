"""Everything that knows Streamlit: main.py runs for every page, one folder for each page, and shared/ for all."""
