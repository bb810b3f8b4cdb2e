"""The pages' files, relative to the main script's folder: as `st.switch_page` wants them."""

CHAT_PAGE = "../../pages/chat.py"
SWEEP_PAGE = "../../pages/sweep.py"
USAGE_PAGE = "../../pages/usage.py"
